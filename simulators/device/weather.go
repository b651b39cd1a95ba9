package device

import (
	"math"
	"time"
)

// hotC is the daily maximum from which food waste is collected twice.
const hotC = 35

// outdoor is the temperature in the shade in Shanghai: the season, the weather of the date, the hour. All devices have the same weather.
func outdoor(t time.Time) float64 {
	season := math.Cos(2 * math.Pi * float64(t.In(shanghai()).YearDay()-208) / 365)
	return 16.5 + 12*season + weather(t) + (4+season)*daily(t)
}

// daily is -1 at five in the morning and 1 at three in the afternoon.
func daily(t time.Time) float64 {
	h := hour(t)
	if h > 5 && h < 15 {
		return -math.Cos((h - 5) / 10 * math.Pi)
	}
	return math.Cos(math.Mod(h-15+24, 24) / 14 * math.Pi)
}

// weather is how much warmer the days around t are than usual, between -4 and 4.
func weather(t time.Time) float64 {
	day := float64(t.Unix()) / (24 * 60 * 60)
	return 2.4*math.Sin(day*2*math.Pi/6.1) + 1.6*math.Sin(day*2*math.Pi/2.7)
}

// hot reports whether the date of t has a hot afternoon.
func hot(t time.Time) bool { return outdoor(midnight(t).Add(15*time.Hour)) >= hotC }
