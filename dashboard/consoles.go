package dashboard

// Consoles is how many consoles are open.
func (s *Server) Consoles() int { return s.stream.Len() }
