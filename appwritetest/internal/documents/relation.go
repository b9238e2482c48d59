package documents

import (
	"github.com/backstep-dev/backstep/appwritetest/internal/catalog"
	"github.com/backstep-dev/backstep/appwritetest/internal/phpjson"
	"github.com/backstep-dev/backstep/appwritetest/internal/store"
)

type link struct{}

func hidden(*catalog.Collection, *catalog.Definition) bool { return false }
func holdsColumn(*catalog.Relation) bool                   { return true }
func (r *Room) links(*catalog.Collection, *phpjson.Object) ([]link, error) {
	return nil, nil
}
func (r *Room) own(store.Writer, *store.Record, []link) error { return nil }
func (r *Room) tie(store.Writer, *catalog.Collection, *store.Record, []link) error {
	return nil
}
func (r *Room) untie(store.Writer, *catalog.Collection, *store.Record) error { return nil }
func (r *Room) relinks(store.Reader, *catalog.Collection, *store.Record, []link) bool {
	return false
}

func (r *Room) nested(_ store.Reader, v view, col *catalog.Collection, record *store.Record) (*phpjson.Object, error) {
	return v.render(col, record), nil
}

func (r *Room) written(_ store.Reader, v view, col *catalog.Collection, record *store.Record, _ *phpjson.Object) (*phpjson.Object, error) {
	return v.render(col, record), nil
}
