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

// Kept returns the handler that keeps answers under their names.
func Kept(c Clock, w *web.Web, next http.Handler) http.Handler { return newKept(c, w).handler(next) }

// The bounds of what is kept.
const (
	MostEach = mostEach
	KeepFor  = keepFor
)
