// Package registry knows what belongs to the subdistrict: devices, areas, places, contacts, people, users, and who may connect.
//
// # State
//
// The registry is the fold of the chain "registry" of the journal. An import or an edit is one change set: actor, time and
// operations, all or nothing. Its number is the revision. The state is folded from the written bytes only, also in the process that
// wrote them, so a view in memory cannot differ from what the next start reads.
//
// A change set is one step of the chain. One of more than half a MiB is a series: parts one after another, of format 2, which a
// program that knows 1 only refuses. All of them count with the last one, and none before: a series that was not finished (the process
// ended, the disk was full) is passed over when another step follows it, and takes room in the chain and nothing else. What makes this
// safe is that the chain takes a step only from a writer who knows the one before, so the parts of two writers cannot mix.
//
// A snapshot in the journal's key-value store (bucket "registry") shortens the start; it is a cache, believed only when it names this
// chain and the hash of its step, and made anew otherwise. It holds the operations that make the state, in parts likewise; they are
// written first and what names their sum last, so that half of one is not believed.
//
// # Concurrency
//
// A Registry is safe for concurrent use. View is one revision, immutable, taken without a lock; Changed closes when there is a
// newer one. Edits take turns; one that finds the chain longer than expected reads on and decides again. The package has no
// goroutines. Authenticate, Token, MayPublish and MaySubscribe touch memory only and take microseconds.
//
// # Secrets
//
// Of a secret of a device, a bridge or a program the registry keeps an HMAC-SHA256, keyed by 32 random bytes in its first
// change set and bound to purpose and id. A slow hash would buy nothing for generated secrets: 130 random bits cannot be
// guessed at any speed; and it would cost an outage whenever all devices reconnect (75,000 of them for hours on two
// processors). Chosen secrets, which some devices ship with, are accepted from 8 bytes on, and are as weak as they are chosen:
// someone who has a copy of the data folder can try them offline at full speed. Let the registry generate what it can. Eight
// bytes are no protection but against carelessness; online, guessing is a matter of the broker's connection limits. Generated
// secrets and tokens are returned once by the call that makes them and can never be read again. The HMAC key lies with the
// data, not in the key file: a lost key file must not keep 190 buttons from calling.
//
// Passwords of people are argon2id (19 MiB, two passes), at most two computed at a time, and slowed per name after five
// failures in a row.
//
// # Personal data
//
// Name, telephone, address, note and relatives of a person are one box under XChaCha20-Poly1305, bound to the person's id; name
// and telephone of a contact, who gets the orders of a duty, are another. The key is in the key file, outside the data folder; the record names it. Masked forms are derived on reading. Without the key
// everything works but those fields: KeyProblem says so, Reveal is ErrKey, and nobody can be entered or changed, lest two keys
// come into use unnoticed. Nothing of a person is ever in an error or a log.
//
// # CSV
//
// The header names the columns in any order, id and kind at least, by these names or in Chinese (csvheader.go); a byte order mark is
// allowed, the encoding is UTF-8. Cells are parted by commas, or by what the line sep= or the header uses. A row adds a device or
// changes the one of its id: a column that the file lacks is left as it is, an empty cell clears it. Empty rows, empty cells at the edges
// of the table and characters without a width are passed over; a cell that a spreadsheet has spoilt (1.38E+10, ####, #N/A) is refused. A
// file and a request are held to the same checks.
//
//	id                 1 to 64 of [A-Za-z0-9_-], beginning with a letter or digit, once in the file
//	kind               a kind of the catalog or another of [a-z_]; one that is all but a known kind is taken for a slip and refused;
//	                   empty = that of the model, which it must agree with
//	secret             8 to 256 bytes; empty = keep, or generate where there is none; "generate" = a new one
//	name               one line, up to 256 bytes; the place, never a person
//	model              a model of the catalog or another name, one line, up to 256 bytes
//	address            how a bridge names the device (friendly name), likewise, once in a profile; a DevEUI has 16 hexadecimal
//	                   digits and is kept without dashes and colons, in small letters; empty = by its id
//	settings           how it is mounted, for its model, "empty_mm=1200;full_mm=200", likewise
//	area               a registered area; not checked as long as none is registered
//	place              a registered place, likewise
//	lat, lon           degrees; both or neither, and never 0, which is what becomes of an empty cell
//	crs                WGS 84 (also when empty) or CGCS2000, which is the same at this scale, in any spelling; gcj02 is refused
//	gateway            a device of kind gateway, registered or in the same file
//	power              mains, battery or empty = that of the model
//	report_interval_s  1 to 2592000; empty = that of the model or the kind
//	person             a registered person, or one named in the same row
//	person_name, person_phone, person_address, person_note
//	                   sealed; they change the person's fields one by one and are never exported. A telephone number is kept
//	                   without blanks, dashes and brackets, an extension behind a dash
//	out_of_service     true, false, 是, 否 or empty
//
// Places and contacts have files of their own; each has at least the column id, and what a new one needs.
//
//	name               of a place: one line, up to 256 bytes
//	area, lat, lon, crs
//	                   of a place: as above
//	hours              of a place: HH:MM-HH:MM, several with ; between, Shanghai time; may go past midnight; empty = always open
//	duty               of a contact: sanitation, tech, fire or duty
//	areas              of a contact: registered areas with ; between; empty = everywhere
//	webhook            of a contact: a URL that orders are posted to
//	name, phone        of a contact: sealed, changed one by one, never exported
//
// All faults of a file are told, by row and column; what a secret or personal column holds is not repeated. An exported text
// that a spreadsheet would take for a formula begins with an apostrophe, which the import takes off.
//
// # Rights on topics
//
// Everything is denied that is not allowed. A device publishes on wh/v1/{device}/ event, telemetry, status and command/ack, a
// gateway also on wh/v1/{gateway}/child/{device}/… of the devices registered behind it, and the event of a device that is not
// registered at all: a call from an unknown place. A device whose model speaks of itself on a topic without a name
// (v1/devices/me/telemetry) publishes there, too. Devices subscribe below wh/v1/{device}/. Bridges and observers have grants:
// a filter, to publish or to subscribe; what they ask for must lie wholly within one grant.
//
// # Errors
//
// *InvalidError names subject, field, what was expected and what was found; ImportErrors and FeatureErrors do for files; the
// sentinels tell the rest apart. A failed append is the journal's error: the edit did not happen, or is found to have happened
// by the next edit or start. Repeating it is harmless.
package registry
