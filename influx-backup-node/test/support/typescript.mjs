/** TypeScript: compilers to check programs with, and what declarations declare. */

import { execFileSync } from "node:child_process";
import fs from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";

const require = createRequire(import.meta.url);

/** The compilers that have to understand the declarations, by their versions. */
export const COMPILERS = Object.fromEntries(
    ["typescript", "typescript-5"].map((name) => {
        const manifest = require.resolve(`${name}/package.json`);
        return [require(manifest).version, path.join(path.dirname(manifest), "bin/tsc")];
    }),
);

const [LATEST] = Object.keys(COMPILERS);

/** What a compiler says about programs in a directory, under strict options: nothing where all is right. */
export function diagnose(directory, files, options, compiler = LATEST) {
    const project = path.join(directory, `tsconfig-${process.pid}.json`);
    const compilerOptions = {
        strict: true,
        noEmit: true,
        skipLibCheck: false,
        exactOptionalPropertyTypes: true,
        noUncheckedIndexedAccess: true,
        target: "es2022",
        types: ["node"],
        ...options,
    };
    fs.writeFileSync(project, JSON.stringify({ compilerOptions, files }));
    try {
        return execFileSync(process.execPath, [COMPILERS[compiler], "--pretty", "false", "--project", project], {
            encoding: "utf8",
        });
    } catch (error) {
        return error.stdout || String(error);
    } finally {
        fs.rmSync(project);
    }
}
