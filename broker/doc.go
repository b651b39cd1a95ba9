// Package broker is the hub's MQTT server: it takes messages from devices to the journal and acknowledges them, and brings commands
// and committed messages to those who may have them.
//
// # Why an ack can never leave before the fsync
//
// The bytes of PUBACK and of PUBREC with success are made in one place, conn.answer, which is reached with a success in four
// ways:
//
//   - pending.complete, the callback that the journal calls after the fsync of the message's frame, with a nil error;
//   - conn.respond for a QoS 2 message that has come before and whose entry in inbound2 says committed, which only
//     pending.complete sets;
//   - conn.reject for a v3.1.1 message that is no part of the journal's promise: a foreign topic's, kept among the rejects;
//   - conn.acceptNotice for what a bridge says on $SYS about its own connection, which is nobody's message.
//
// The MQTT library, which acknowledges before its hooks have run in some paths, never sees a PUBLISH. A process killed between the
// fsync and the ack leaves a stored message without ack: the client repeats it, so it may be stored twice, and is told apart
// downstream by (device, boot, seq). A commit that failed, or whose outcome is unknown, is answered with no ack: from life the
// connection closes at once, and what its out buffer held is thrown away; from telemetry v5 gets 0x97, v3.1.1 nothing.
// TestSyncComesBeforePuback looks at the system calls, TestKillLosesNothingAcknowledged kills the process under load.
//
// # The parts
//
//	listener ── adopt ──► conn (one goroutine, reads) ── publish ──► route ──► admit ──► journal lane
//	 tcp, ws                │  ▲                                                            │ committer's goroutine
//	                control │  │ out                                                        ▼
//	                        ▼  │ buffer ◄──────────── settle: ack, refusals ◄──── pending.complete ──► retained, fan-out
//	                    library │
//	                           flush (a goroutine while there is something to send)
//
// mochi-mqtt keeps sessions, the index of subscriptions and the codec of control packets. It is handed whole packets and writes to a
// net.Conn that never blocks; wills, acks, messages of both directions, packet ids, keepalive, takeover, retained messages and
// expiry are this package's, because the library's ways lose messages, block or crash (each has a test). A control packet is
// processed on a short-lived goroutine: a panic ends with it, and the connection's own stack stays small.
//
// # What it promises
//
//   - Every QoS is journaled. Acks are in order per connection and lane; lanes do not wait for each other.
//   - A connection may have 256 messages or 1 MiB of telemetry in flight, less when many share the global cap. At the cap its
//     reader waits, which slows the client down through TCP. When nobody's telemetry was committed for 3 s, which means that
//     the disk stands still, the wait ends with refusal: v5 gets 0x97 in its turn; a v3.1.1 client, which cannot be told, gets no ack, has its telemetry dropped from then
//     on and is closed after 2 to 10 s. Its events flow all the time. A gateway that floods should use one connection for
//     events and one for telemetry: within one TCP stream nothing can overtake.
//   - Events, status and command acks are never shed: at 1024 in flight the reader waits.
//   - An account (device, gateway, bridge, observer) has shares over all its connections: of calls, of status, and of other work that a
//     client can ask for without end. A message is charged when it is in the journal's hands, then the reader rests until the account
//     is back within its share: nothing that was read is dropped for it, and only the account's own connections wait. Telemetry has its
//     window instead. An account holds 8 connections, 8 sessions and 64 subscriptions; what is half open or away makes room.
//   - Nobody waits for a socket but the goroutine that writes to it, under a deadline. A client that leaves 256 KiB unread is cut.
//   - A will is taken on status only, of a bridge also on its own topics, journaled as such, and not fired by Stop. One that is of no use
//     here is dropped; the connection stands.
//   - Retained status survives restarts: a snapshot in the journal's key-value store plus the state lane after it. Nothing else is
//     retained, an event least of all.
//   - A v5 client with more unanswered messages than its Receive Maximum is told 0x93. A session ends when its expiry says so, and session
//     present is said only of one of which something is left.
//   - Deliveries to subscribers are lossy for the slow and are not kept for the absent. QoS 2 memory of a session survives a
//     reconnect, not a restart.
//   - Access is denied unless the registry grants it: per topic of a publish after its alias is resolved, per filter of a
//     subscription, and again per delivery. Decisions are kept for one revision of the registry.
//   - A socket is half open until its CONNECT has shown the right secret. Half-open ones have caps for each address and for all, a small
//     part of the process's files; the oldest makes room, and without files it does so at once. They wait for nothing and hold nobody
//     up: the pace of sign-ins is for those with a right secret. An address that accounts have signed in from, in this run or in the one
//     before, has room for all of them, so a building behind one address comes back at once.
//   - The sessions of connections that are lost end in turn, 2,500 a second beyond the first hundred, with their sockets, wills and records:
//     a call needs not wait for thousands of them. Who comes back meanwhile ends the session before at once, and nobody waits over 4 s.
//   - Who is deleted, or gets another secret or kind, is disconnected (revoked) as soon as the registry says so, also in the
//     middle of its sign-in. No other change of the registry ends a connection.
//   - No log line holds a payload, a secret, or a user name that cannot be a device id.
//
// # Concurrency and errors
//
// All methods of Broker are safe for concurrent use. Lock order: account.subscribing, accounts.mu, account.mu, conn.mu or the
// library's. inbound2.mu and table.mu are never held together with conn.mu except that conn.mu may be taken by itself after they are
// released. Stop waits for every goroutine. Errors of New and Start are
// wrapped with what was being done; errors of a connection end that connection, and its disconnect record has the reason.
package broker
