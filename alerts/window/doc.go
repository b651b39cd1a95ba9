// Package window remembers the recent past of one device in little memory: the last readings of a metric, what happened in the
// last minutes or days, when a bin was emptied, and the times of events. The functions of window rules are computed from it.
//
// # What it promises
//
// A Series keeps as many readings as were asked for exactly, and each span as at most 16 buckets (32 where a quantile is
// taken), however often a device reports. So the memory of a device is bounded by the rules and not by the device. A span
// reaches back by its width and at most one bucket more, and always holds the reading that was valid when it began: for a
// device that reports rarely, "a drop within 30 minutes" is a drop from its reading before.
//
// What is not known is NaN, never zero: every comparison with it is false, and the caller learns that data was missing.
// A reading that is not newer than the last one changes nothing, so reading a lane twice does no harm.
//
// # Concurrency
//
// Nothing here is safe for concurrent use; the owner of a device's windows is one goroutine or holds a lock. Nothing reads a
// clock: times are Unix ms and come with the readings. There are no errors.
package window
