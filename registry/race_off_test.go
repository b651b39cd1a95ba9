//go:build !race

package registry

// raceEnabled tells that the race detector makes everything slower, and sync.Pool forget at random.
const raceEnabled = false
