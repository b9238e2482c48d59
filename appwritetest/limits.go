package appwritetest

import "net/http"

// Sizes from which a real server resets the connection without an answer: what
// Appwrite tells its HTTP server to take, headers as in Swoole.
const (
	maxHeadBytes = 64 << 10 // request line and headers
	maxBodyBytes = 12 << 20
)

// limited resets connections whose request is too large for a real server.
func limited(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if headBytes(r) >= maxHeadBytes || r.ContentLength >= maxBodyBytes {
			reset(w)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func headBytes(r *http.Request) int {
	const perLine = len(": \r\n")
	n := len(r.Method) + len(r.RequestURI) + len(r.Proto) + perLine
	for name, values := range r.Header {
		for _, value := range values {
			n += len(name) + len(value) + perLine
		}
	}
	return n
}
