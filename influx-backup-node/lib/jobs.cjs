"use strict";
// `Job`: a running verb. One object that is awaited for its result and iterated for its events.

const { clearInterval, setInterval } = require("node:timers");
const native = require("./native.cjs");
const { revive } = require("./revive.cjs");
const { follow } = require("./signals.cjs");
const { Calls } = require("./calls.cjs");
const { explain } = require("./errors.cjs");

/** The longest that a timer can wait, in milliseconds: only its presence counts. */
const LONGEST = 2 ** 31 - 1;

/** Jobs that run, or whose events are waited for: what nothing refers to would not be told of its end. */
const running = new Set();

class Job extends Promise {
    #settle;
    #signal;
    #trace = {};
    #native = null;
    #caller;
    #calls;
    #waiting = [];
    #timer = null;
    #isReferenced = true;
    #isSettled = false;
    #unfollow = () => {};

    /**
     * Starts a verb, which is the function whose callers the stack of an error names. `prepare` gets what wakes the job, and
     * returns its caller and what starts it.
     */
    constructor(verb, prepare) {
        if (typeof prepare !== "function") {
            throw new TypeError("a Job is made by a verb, not by new");
        }
        let settle;
        super((resolve, reject) => {
            settle = { resolve, reject };
        });
        this.#settle = settle;
        Error.captureStackTrace(this.#trace, verb);
        try {
            const prepared = prepare(Job.#waker(this));
            this.#signal = prepared.signal;
            this.#caller = prepared.caller;
            this.#calls = new Calls(prepared.callees);
            if (this.#signal?.aborted) {
                native.throwCancelled();
            }
            if (this.#signal !== undefined) {
                this.#unfollow = follow(this.#signal, this);
            }
            this.#native = prepared.begin();
        } catch (error) {
            this.#reject(error);
            return;
        }
        this.#hold();
    }

    /** What wakes a job, and does not keep it: the native module keeps this for as long as there is something of the job. */
    static #waker(job) {
        const reference = new WeakRef(job);
        return () => reference.deref()?.#wake();
    }

    static get [Symbol.species]() {
        return Promise;
    }

    get [Symbol.toStringTag]() {
        return "Job";
    }

    cancel() {
        this.#native?.cancel();
    }

    get progress() {
        return revive(this.#native?.progress ?? native.noProgress());
    }

    get findings() {
        return revive(this.#native?.findings ?? []);
    }

    get isFinished() {
        return this.#native?.isFinished ?? true;
    }

    unref() {
        this.#isReferenced = false;
        this.#timer?.unref();
        return this;
    }

    ref() {
        this.#isReferenced = true;
        this.#timer?.ref();
        return this;
    }

    [Symbol.asyncIterator]() {
        // The loop throws it.
        this.catch(() => {});
        return this.#events();
    }

    async *#events() {
        while (this.#native !== null && !this.#native.eventsEnded) {
            const event = this.#native.takeEvent();
            if (event !== null) {
                yield revive(event);
            } else if (!this.#native.eventsEnded) {
                this.#hold();
                await new Promise((resolve) => this.#waiting.push(resolve));
            }
        }
        await this;
    }

    /** Keeps the job, and the process unless it is unreferenced, until it is released. */
    #hold() {
        running.add(this);
        this.#timer ??= setInterval(() => {}, LONGEST);
        if (!this.#isReferenced) {
            this.#timer.unref();
        }
    }

    #release() {
        running.delete(this);
        clearInterval(this.#timer);
        this.#timer = null;
    }

    /** Does what there is to do for the native job. */
    #wake() {
        if (this.#native === null) {
            return;
        }
        this.#caller.awake();
        this.#calls.make(this.#caller);
        for (const resolve of this.#waiting.splice(0)) {
            resolve();
        }
        if (this.#native.isFinished) {
            this.#release();
            this.#end();
        }
    }

    #end() {
        if (this.#isSettled) {
            return;
        }
        this.#isSettled = true;
        try {
            this.#settle.resolve(revive(this.#native.result()));
            this.#unfollow();
        } catch (error) {
            this.#reject(error);
        }
    }

    #reject(thrown) {
        this.#unfollow();
        const error = explain(thrown, this.#calls, this.#signal);
        if (error !== thrown) {
            const [, ...trace] = String(this.#trace.stack).split("\n");
            error.stack = [`${error.name}: ${error.message}`, ...trace].join("\n");
        }
        this.#settle.reject(error);
    }
}

module.exports = { Job };
