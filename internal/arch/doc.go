// Package arch holds no code: its test enforces the floors of the module.
//
// An import may only point down, and some libraries may only be seen by one package. Each rule stands in the test with its reason; a
// broken one names the importing package, what it imported and why that is not allowed.
//
// # Concurrency and errors
//
// Nothing is exported, so there is nothing to call and nothing that fails but the test.
package arch
