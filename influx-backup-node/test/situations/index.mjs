/** Situations in which an error is thrown for real: a function for each code, by the code. */

import backups from "./backups.mjs";
import copies from "./copies.mjs";
import places from "./places.mjs";
import restores from "./restores.mjs";
import sources from "./sources.mjs";
import stores from "./stores.mjs";

/** All situations. Those of stores wait for answers, the others do not. */
export const SITUATIONS = { ...backups, ...copies, ...places, ...restores, ...sources, ...stores };

/** The codes of situations that may run at the same time. */
export const OF_STORES = Object.keys(stores);
