/** What code of a caller may throw: everything. */
export const THROWN = [
    new RangeError("mine"),
    Object.freeze(new TypeError("frozen")),
    Object.freeze({ frozen: true }),
    undefined,
    null,
    "a text",
    0,
    Symbol("x"),
    10n,
    Object.create(null),
    new Proxy(
        {},
        {
            get() {
                throw new Error("a trap");
            },
        },
    ),
    () => "a function",
    Object.defineProperty(new Error("hostile"), "message", {
        get() {
            throw new Error("a getter");
        },
    }),
];
