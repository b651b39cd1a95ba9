package hudong

import "fmt"

// crews is how many collecting and fire crews share the committees, in neighbouring eights.
const crews = 4

// contacts are those who get orders and calls: a collecting crew and a small fire station for each quarter of the subdistrict, one for
// repairs and one on duty for all of it.
func (g *generator) contacts() {
	for crew := range crews {
		var areas []string
		for _, a := range g.out.Areas[crew*Committees/crews : (crew+1)*Committees/crews] {
			areas = append(areas, a.ID)
		}
		g.contact(fmt.Sprintf("sanitation-%d", crew+1), "sanitation", areas)
		g.contact(fmt.Sprintf("fire-%d", crew+1), "fire", areas)
	}
	g.contact("tech-1", "tech", nil)
	g.contact("duty-1", "duty", nil)
}

func (g *generator) contact(id, duty string, areas []string) {
	n := len(g.out.Contacts) + 1
	g.out.Contacts = append(g.out.Contacts, Contact{ID: id, Duty: duty, Areas: areas, Name: newName(g.rng), Phone: fmt.Sprintf("1540001%04d", n)})
}
