# What one does here. Each target sets up what it needs.

.PHONY: help demo test lint python node bench bench-full soak

help:
	@echo 'make demo    make up a small cluster, back it up, destroy a copy, restore, verify (two minutes)'
	@echo 'make test    pass all tests, on real object stores too; the last line counts them'
	@echo 'make lint    formatting, clippy for each set of features, documentation, ruff, biome, cargo deny'
	@echo 'make python  build the Python wheel into dist/ (needs Python 3.10 or later)'
	@echo 'make node    build the Node package into dist/ (needs Node.js 20.11 or later)'
	@echo 'make bench   compare speed and memory with cp, s5cmd and others (ten minutes; make bench-full: three hours)'
	@echo 'make soak    search for a failing world of the simulation: make soak MINUTES=60'

demo:
	@.ci/demo

test:
	@.ci/test

lint:
	@.ci/lint

python:
	@.ci/python wheel

node:
	@.ci/node package

bench:
	@.ci/bench short

bench-full:
	@.ci/bench full

MINUTES ?= 10
soak:
	@.ci/soak $(MINUTES)
