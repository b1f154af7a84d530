/** Vendored scripts that are no modules. */
declare const L: any;
declare const protomapsL: any;
