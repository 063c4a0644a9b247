// The whole package, as a page would pay for it that uses all of it.
export * from 'stackwise';
