package appwrite

import (
	"context"
	"sync/atomic"
)

// watchKey is the context key of a watch.
type watchKey struct{}

// Watch gives a context that remembers whether a request sent under it has
// changed something, as far as the server's answers tell. Somebody who gives
// up half-way learns so whether there is something to look after.
func Watch(ctx context.Context) (watched context.Context, changed func() bool) {
	var flag atomic.Bool
	return context.WithValue(ctx, watchKey{}, &flag), flag.Load
}

// noteChange tells the watch of ctx, if there is one, about a successful write.
func noteChange(ctx context.Context, method string) {
	if !mutates(method) {
		return
	}
	if flag, ok := ctx.Value(watchKey{}).(*atomic.Bool); ok {
		flag.Store(true)
	}
}
