package web

// Limited returns how many sessions are remembered for their rate.
func (w *Web) Limited() int {
	w.each.mu.Lock()
	defer w.each.mu.Unlock()
	return len(w.each.by)
}
