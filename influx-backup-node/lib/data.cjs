"use strict";
// What the core returns as data: each type a class, whose instances have frozen fields of their own.

const { inspect } = require("node:util");
const { attempt } = require("./errors.cjs");
const native = require("./native.cjs");
const { classes, revive } = require("./revive.cjs");

/** What every class of data has. */
class Data {
    #document;

    constructor(document) {
        if (!(document instanceof native.Document)) {
            throw new TypeError(`${new.target.name} is made by verbs and by fromJSON, not by new`);
        }
        this.#document = document;
        Object.assign(this, revive(attempt(() => document.fields())));
        for (const name of document.lazyFields) {
            let value;
            const get = () => (value ??= revive(attempt(() => document.lazyField(name))));
            Object.defineProperty(this, name, { enumerable: true, get });
        }
        Object.freeze(this);
    }

    static nativeOf(data) {
        return data.#document;
    }

    /** The document, as the program writes it. */
    toJSON() {
        const json = this.#document.json();
        return json === null ? { ...this } : JSON.parse(json);
    }

    toString() {
        return this.#document.text() ?? inspect(this);
    }
}

const { nativeOf } = Data;
delete Data.nativeOf;

/** Data that can be read from its JSON. */
class Readable extends Data {
    /** Reads what `toJSON` wrote, as a text or an object. */
    static fromJSON(json) {
        const text = typeof json === "string" ? json : JSON.stringify(json);
        if (text === undefined) {
            throw new TypeError(`${this.name}.fromJSON takes JSON, as a text or an object`);
        }
        return revive(attempt(() => native.readDocument(this.name, text)));
    }
}

/** An event of a job: what happened, when, and as which event in a row. Each kind has a class of its own. */
class Event extends Readable {}

classes.Event = Event;
for (const [name, kind] of Object.entries(native.dataClasses())) {
    const Base = { data: Data, document: Readable, event: Event }[kind];
    classes[name] = { [name]: class extends Base {} }[name];
}

/** A committed backup, opened. */
classes.Backup = class Backup extends Data {
    /** The object of this key; `null` where the backup holds none. */
    object(key) {
        return revive(attempt(() => native.objectOfBackup(nativeOf(this), key)));
    }
};

module.exports = { Data, nativeOf };
