//go:build !race

package broker

const memoryFactor = 1
