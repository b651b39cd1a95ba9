// What the libraries use and the oldest supported core (Chrome 90) lacks. The build lowers syntax only.

if (!('hasOwn' in Object)) {
  Object.defineProperty(Object, 'hasOwn', {
    configurable: true,
    writable: true,
    value: (object: object, key: PropertyKey) => Object.prototype.hasOwnProperty.call(object, key),
  })
}

export {}
