"use strict";
// `Location`: where objects live.

const { inspect } = require("node:util");
const { attempt } = require("./errors.cjs");
const { kindOf, textOf } = require("./kind.cjs");
const native = require("./native.cjs");
const { revive, setLocationClass } = require("./revive.cjs");

/** Where objects live: a directory, or a bucket or container with an optional prefix. */
class Location {
    #native;

    constructor(place, options) {
        if (place instanceof native.Location) {
            this.#native = place;
        } else if (place instanceof Location) {
            refuseOptions(options);
            this.#native = place.#native;
        } else if (typeof place === "string" || place instanceof URL) {
            const text = textOf(String(place), "a place");
            this.#native = attempt(() => new native.Location(text, options ?? undefined));
            if (place instanceof URL && this.provider === "file" && place.protocol !== "file:") {
                throw new TypeError(`a URL of a place is one of file, s3, az or gs, not of ${place.protocol}`);
            }
        } else {
            throw new TypeError(`a place is a path, a URL or a Location, not ${kindOf(place)}`);
        }
        Object.freeze(this);
    }

    static nativeOf(location) {
        return location.#native;
    }

    get provider() {
        return this.#native.provider;
    }

    get identity() {
        return revive(this.#native.identity);
    }

    get name() {
        return this.#native.name;
    }

    get parent() {
        return revive(this.#native.parent);
    }

    child(tail) {
        const name = textOf(tail, "a name");
        return new Location(attempt(() => this.#native.child(name)));
    }

    contains(other) {
        return this.#native.contains(new Location(other).#native);
    }

    equals(other) {
        return #native in Object(other) && this.#native.equals(other.#native);
    }

    toString() {
        return this.#native.text();
    }

    toJSON() {
        return this.toString();
    }

    [inspect.custom]() {
        return `Location(${inspect(this.toString())})`;
    }
}

const { nativeOf } = Location;
delete Location.nativeOf;

function refuseOptions(options) {
    if (options !== undefined && options !== null) {
        throw new TypeError("options of a store go with a path or a URL; a Location has its own");
    }
}

setLocationClass(Location);

module.exports = { Location, locationOf: nativeOf };
