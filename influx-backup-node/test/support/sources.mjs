/** The sources of the repository, which tests of an installed package are a copy outside of. */

import { fileURLToPath } from "node:url";

/** Their directory. */
export const SOURCES = process.env.INFLUX_BACKUP_SOURCES ?? fileURLToPath(new URL("../../..", import.meta.url));
