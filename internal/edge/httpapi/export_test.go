package httpapi

// Routes returns method and path of every row of the route table.
func Routes() [][2]string {
	var out [][2]string
	for _, r := range routes() {
		out = append(out, [2]string{r.method, r.path})
	}
	return out
}
