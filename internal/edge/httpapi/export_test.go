package httpapi

import (
	"net/http"

	"purser/internal/edge/web"
)

// Routes returns method and path of every row of the route table.
func Routes() [][2]string {
	var out [][2]string
	for _, r := range routes() {
		out = append(out, [2]string{r.method, r.path})
	}
	return out
}

// Keeps returns whether an answer of a route to a named ask may be kept that
// holds no value, and whether one that holds a secret may.
func Keeps(method, path string) (plain, secret bool) {
	for _, r := range routes() {
		if r.method == method && r.path == path {
			return r.keeping != keepNothing, r.keeping == keepAll
		}
	}
	return false, false
}

// Kept returns the handler that keeps all answers under their names but those
// of whom HoldsSecret was told.
func Kept(c Clock, w *web.Web, next http.Handler) http.Handler {
	return newKept(c, w, func(*http.Request) bool { return true }).handler(next)
}

// HoldsSecret says that the answer which is being made holds a secret.
var HoldsSecret = holdsSecret

// The bounds of what is kept.
const (
	MostEach = mostEach
	KeepFor  = keepFor
)
