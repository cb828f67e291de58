/** Places, options and names that cannot be used. */

import path from "node:path";

import * as ib from "influx-backup";

export default {
    async "invalid-location"() {
        return new ib.Location("s3://");
    },

    async "unknown-option"({ repository, core }) {
        await repository.backup(core, { nam: "n1" });
    },

    async "invalid-option"({ repository, core }) {
        await repository.backup(core, { derived: "incl" });
    },

    async "location-not-found"(scratch) {
        await ib.discover(scratch.at("missing"));
    },

    async "memory-location"() {
        await new ib.Repository("memory://").list();
    },

    async "invalid-key"({ tmp }) {
        new ib.Location(tmp).child("../elsewhere");
    },

    async "invalid-request"({ repository, core }) {
        await repository.backup(core, { name: "../n1" });
    },

    async "invalid-document"() {
        ib.RestorePlan.fromJSON("{}");
    },

    async overlap({ core }) {
        await new ib.Repository(path.join(core, "backups")).backup(core);
    },
};
