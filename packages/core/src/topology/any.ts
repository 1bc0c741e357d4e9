// The plan holds values of many types side by side; types are checked where it is built, by the operators' signatures.
// biome-ignore lint/suspicious/noExplicitAny: see above.
export type Any = any;
