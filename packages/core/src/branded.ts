/** Strings that only their parser or maker hands out. */

declare const brand: unique symbol;
/** A string that only the parser or maker of its kind hands out. */
export type Branded<Kind extends string> = string & { readonly [brand]: Kind };
