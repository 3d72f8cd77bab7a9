/**
 * Packages that Koa requires when it is loaded, for what a health request never does: cookies, streams as bodies,
 * ctx.assert, negotiation, downloads. They are loaded at their first use instead, and with them crypto, zlib and
 * the streams of fs. Each exports one function; what is changed is how the bundle finds a module, never its code.
 */
export const lazyPackages = ['accepts', 'content-disposition', 'cookies', 'destroy', 'http-assert']

/**
 * The router's tracing, which shows nothing unless DEBUG is set: it is loaded where it is. Merely loaded it would open
 * standard error as a stream, to find out whether that is a terminal.
 */
export const tracingPackage = 'debug'

/** Builtins of Node of the same kind: startup snapshots, and assertions, which need no module as long as they hold. */
export const lazyBuiltins = ['node:v8', 'node:assert']

/**
 * Puts a stand-in for the package `name` into the bundle `code`, which loads the package when it is first called.
 *
 * @param files the file of each module, by its id in `code`; kept up to date.
 * @throws Error where `code` does not hold the package in the one way that is known: the remedy would be lost silently.
 */
export function loadPackageAtFirstUse(code: string, name: string, files: Map<string, string>): string {
  return withStandIn(code, name, files, `new Proxy(function () {}, {
  get: (_, key) => load()[key],
  apply: (_, self, args) => Reflect.apply(load(), self, args),
  construct: (_, args) => Reflect.construct(load(), args)
});`)
}

/**
 * Puts a stand-in for {@link tracingPackage} into the bundle `code`, which makes tracers that do nothing.
 *
 * @throws Error as {@link loadPackageAtFirstUse} does.
 */
export function loadTracingWhereAsked(code: string, files: Map<string, string>): string {
  return withStandIn(code, tracingPackage, files, 'process.env.DEBUG ? load() : () => () => {};')
}

function withStandIn(code: string, name: string, files: Map<string, string>, exported: string): string {
  const found = [...files].filter(([, file]) => file.endsWith(`/node_modules/${name}/index.js`) || file.endsWith(`/node_modules/${name}/src/index.js`))
  const [id = '', file = ''] = found[0] ?? []
  const start = `\n/***/ ${id}:\n/***/ (`
  if (found.length !== 1 || code.split(start).length !== 2) {
    throw new Error(`expected the bundle to hold one package ${name}, found ${found.length}: does anything still require it?`)
  }
  files.set(name, file)
  files.set(id, `stand-in for ${name}`)
  const standIn = `\n/***/ ${id}:
/***/ ((module, __unused_webpack_exports, __nccwpck_require__) => {

const load = () => __nccwpck_require__("${name}")
module.exports = ${exported}

/***/ }),

/***/ "${name}":
/***/ (`
  return code.replace(start, () => standIn)
}

/**
 * Rewrites the one line of the bundle `code` that requires the builtin `name`, so that the builtin is loaded when one
 * of its properties is read, or when it is called: node:assert with something that fails.
 *
 * @throws Error where `code` does not require it in the one way that is known: the remedy would be lost silently.
 */
export function loadBuiltinAtFirstUse(code: string, name: string): string {
  const eager = `module.exports = require("${name}");`
  const parts = code.split(eager)
  if (parts.length !== 2) {
    throw new Error(`expected the bundle to have one line \`${eager}\`, found ${parts.length - 1}: does anything still require ${name}?`)
  }
  return parts.join(`module.exports = new Proxy(() => {}, {
  get: (_, key) => require("${name}")[key],
  apply: (_, self, args) => args[0] ? undefined : require("${name}")(...args)
});`)
}
