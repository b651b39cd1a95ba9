// Package dashboard is the console's server: REST under /api/v1 (described by OpenAPI 3.1 at /api/v1/openapi.json), the
// stream (dashboard/stream), the present state of every device (dashboard/live), sessions, and the embedded page
// (dashboard/web).
//
// # What it promises
//
// Every route answers with its result or with a problem (RFC 9457) whose code is stable; unknown fields and parameters are
// refused by name, bodies are limited. Who may do what is decided here, by the role's permissions, for REST and stream
// alike; the role is read from the registry with each request, so a change takes effect at once, and an open stream is
// closed with 4001 within seconds.
//
// A command on an incident reaches the alert engine with its Idempotency-Key and,
// where it changes the workflow, with the version from If-Match: without it 428, against another version 409 with the
// incident as it is.
//
// Personal fields leave by two routes only, POST /people/{id}/reveal and POST /contacts/{id}/reveal, after a record in the chain
// "audit" is on disk; what can not be audited is not shown. Changes of the registry are recorded there once they are made: the
// registry's own chain names their actor too. A secret that the hub made is in one answer and never again; no problem repeats
// a secret or a name. The same chain keeps sign-ins, sign-outs and, gathered for five seconds, which user saw
// which incident first since the hub began; GET /audit lists it. Until they are gathered, first sights are in memory: a crash
// may lose the last five seconds of them.
//
// Sessions are cookies (HttpOnly, SameSite=Strict, Secure on TLS) with a new token at each sign-in, kept in life.db under
// the token's hash, so they survive a restart; a crash may lose a minute of idle time. A request that changes something
// must come from the hub's own page or a trusted origin (http.CrossOriginProtection) or carry a bearer token, which no
// browser adds by itself. Passwords are slowed down per address and user and never logged. The address is the
// connection's: behind a proxy all consoles share one, and the limit per address counts them together.
//
// # Concurrency
//
// A Server is safe for concurrent use. Run owns every goroutine but those of the requests; a stream's request goroutine
// ends before Run returns.
//
// # Errors
//
// New's name the faulty key or the missing dependency. A failed request is logged once, with the request id that the
// client also gets, if it is the hub's fault.
package dashboard
