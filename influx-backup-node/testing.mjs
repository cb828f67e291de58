import testing from "./testing.cjs";

export const { Generated, GeneratedNode, generate } = testing;
