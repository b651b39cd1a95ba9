// Package scenario plays what happens to a subdistrict and checks what must be seen: YAML files with steps (at this moment this device
// does that) and expectations (within so long this must, or must not, appear on the stream). Story is the one of the demonstration: written
// for a stranger who watches the page, and going on gently for ever after its last step.
//
// # Concurrency
//
// A Scenario is read-only after Parse. Runner.Run owns its goroutines and waits for them; Report is called from one at a time. A Console
// is safe for concurrent use.
//
// # Errors
//
// Parse errors carry file:line:column. Run returns every unmet expectation and failed step, joined.
package scenario
