//go:build race

package broker

// memoryFactor allows for the race detector's own bookkeeping.
const memoryFactor = 6
