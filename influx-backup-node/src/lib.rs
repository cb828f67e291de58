//! The native part of the Node package `influx-backup`: the API of `influx-backup-core`, and nothing that the core does not do.
//!
//! Each verb is a function here that builds a request of the core and returns its `job::Job`. What the core returns as data is
//! a `document::Document`. The JavaScript side (`index.cjs`) makes promises of jobs and objects of documents.

#![allow(unreachable_pub, reason = "what is exported to JavaScript is public")]

mod callback;
mod caller;
mod convert;
mod copier;
mod data;
mod document;
mod error;
mod event;
mod job;
mod location;
mod options;
mod orchestrator;
mod program;
mod promise;
mod repository;
mod runtime;
mod session;
mod verbs;
