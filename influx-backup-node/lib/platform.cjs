"use strict";

const { arch, platform, report } = process;

function isGlibc() {
    const { excludeNetwork } = report;
    // The report would look up the names of hosts, which takes seconds where no resolver answers.
    report.excludeNetwork = true;
    try {
        return report.getReport().header.glibcVersionRuntime !== undefined;
    } finally {
        report.excludeNetwork = excludeNetwork;
    }
}

function abi() {
    if (platform === "linux") return isGlibc() ? "-gnu" : "-musl";
    return platform === "win32" ? "-msvc" : "";
}

/** The platform of this process, as its package is named: `linux-x64-gnu`, `darwin-arm64`, `win32-x64-msvc`. */
module.exports = `${platform}-${arch}${abi()}`;
