package alerts

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"watchhouse/registry"
	"watchhouse/telemetry"
)

// lifeDelay is how long a fire may have to be seen before it is believed; everything else of priority 1 is believed at once.
const lifeDelay = time.Minute

// longestDelay bounds the delays of a rule.
const longestDelay = 7 * 24 * time.Hour

// checkWindow holds what concerns window rules: their own keys, and that nobody else has them.
func (c *checker) checkWindow(at string, r *rule) {
	if r.Kind != ruleWindow {
		c.checkNoWindow(at, r)
		return
	}
	if len(r.Scope) == 0 {
		c.fault(at+".scope", "a window rule names the kinds it watches")
	}
	for i, name := range r.Each {
		if !telemetry.ValidMetric(name) || slices.Contains(r.Each[:i], name) {
			c.fault(fmt.Sprintf("%s.each[%d]", at, i), "want different words that can be part of a metric")
		}
	}
	for _, x := range []struct {
		key string
		d   time.Duration
	}{{"on_delay", r.OnDelay}, {"off_delay", r.OffDelay}, {"max_input_age", r.MaxInputAge}} {
		if x.d < 0 || x.d > longestDelay {
			c.fault(at+"."+x.key, "want 0s to 168h")
		}
	}
	if r.Latch && r.Clear != "" {
		c.fault(at+".clear", "a latched rule is cleared by a person")
	}
	if r.Priority == 1 && r.OnDelay > 0 && (r.Class != classFire || r.OnDelay > lifeDelay) {
		c.fault(at+".on_delay", fmt.Sprintf("priority 1 is not delayed, fire by at most %s", lifeDelay))
	}
	c.checkAnnunciate(at, r)
}

// checkNoWindow refuses keys that would be without effect.
func (c *checker) checkNoWindow(at string, r *rule) {
	for _, x := range []struct {
		key string
		set bool
	}{
		{"each", len(r.Each) > 0},
		{"on_delay", r.OnDelay != 0},
		{"off_delay", r.OffDelay != 0},
		{"max_input_age", r.MaxInputAge != 0},
		{"annunciate", r.Annunciate != ""},
		{"order", r.Order != nil},
	} {
		if x.set {
			c.fault(at+"."+x.key, "only a window rule has it")
		}
	}
}

func (c *checker) checkAnnunciate(at string, r *rule) {
	switch r.Annunciate {
	case "", annunciateAlarm, annunciateLog:
		if r.Order != nil {
			c.fault(at+".order", "only with annunciate: order")
		}
	case annunciateOrder:
		c.checkOrder(at, r)
	default:
		c.fault(at+".annunciate", "want alarm, order or log")
	}
	if r.silent() && (r.Priority != 4 || r.Latch) {
		c.fault(at+".annunciate", "an order or a record is silent: priority 4, not latched")
	}
}

func (c *checker) checkOrder(at string, r *rule) {
	switch {
	case r.Order == nil:
		c.fault(at, "an order says whose duty it is: order: {duty: sanitation}")
	case !slices.Contains(registry.Duties(), r.Order.Duty):
		c.fault(at+".order.duty", "want "+strings.Join(registry.Duties(), ", "))
	}
	if r.ResponseEN == "" || r.Title.ZH == "" || r.Title.EN == "" {
		c.fault(at, "an order tells its contact what to do in both languages: title, response_en")
	}
}
