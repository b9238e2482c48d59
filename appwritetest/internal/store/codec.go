package store

import (
	"encoding/binary"
	"errors"
	"math"
)

var errCorrupt = errors.New("corrupt record")

// encode writes a record without its sequence and id as bytes. The form is
// private to the file; its first byte is a version.
func encode(record *Record) []byte {
	out := []byte{1}
	out = binary.AppendVarint(out, record.CreatedAt)
	out = binary.AppendVarint(out, record.UpdatedAt)
	out = appendString(out, record.ID)
	out = binary.AppendUvarint(out, uint64(len(record.Permissions)))
	for _, permission := range record.Permissions {
		out = appendString(out, permission)
	}
	for _, cell := range record.Cells {
		out = binary.AppendVarint(out, cell.Column)
		out = appendValue(out, cell.Value)
	}
	return out
}

func appendString(out []byte, s string) []byte {
	return append(binary.AppendUvarint(out, uint64(len(s))), s...)
}

func appendValue(out []byte, value any) []byte {
	switch v := value.(type) {
	case string:
		return appendString(append(out, 's'), v)
	case int64:
		return binary.AppendVarint(append(out, 'i'), v)
	case float64:
		return binary.BigEndian.AppendUint64(append(out, 'f'), math.Float64bits(v))
	case bool:
		if v {
			return append(out, 't')
		}
		return append(out, 'n')
	case []any:
		out = binary.AppendUvarint(append(out, 'l'), uint64(len(v)))
		for _, item := range v {
			out = appendValue(out, item)
		}
		return out
	}
	return append(out, '0')
}

// decode reads what encode wrote.
func decode(sequence int64, blob []byte) (*Record, error) {
	d := decoder{rest: blob}
	if d.byte() != 1 {
		return nil, errCorrupt
	}
	record := &Record{Sequence: sequence, CreatedAt: d.varint(), UpdatedAt: d.varint(), ID: d.string()}
	for n := d.uvarint(); n > 0 && d.err == nil; n-- {
		record.Permissions = append(record.Permissions, d.string())
	}
	for len(d.rest) > 0 && d.err == nil {
		record.Cells = append(record.Cells, Cell{Column: d.varint(), Value: d.value()})
	}
	return record, d.err
}

// decoder reads a blob and remembers the first thing that was wrong with it.
type decoder struct {
	rest []byte
	err  error
}

func (d *decoder) take(n uint64) []byte {
	if n > uint64(len(d.rest)) {
		d.err, d.rest = errCorrupt, nil
		return make([]byte, min(n, 8))
	}
	head := d.rest[:n]
	d.rest = d.rest[n:]
	return head
}

func (d *decoder) byte() byte { return d.take(1)[0] }

func (d *decoder) varint() int64 {
	v, n := binary.Varint(d.rest)
	if n <= 0 {
		d.err, n = errCorrupt, len(d.rest)
	}
	d.rest = d.rest[n:]
	return v
}

func (d *decoder) uvarint() uint64 {
	v, n := binary.Uvarint(d.rest)
	if n <= 0 {
		d.err, n = errCorrupt, len(d.rest)
	}
	d.rest = d.rest[n:]
	return v
}

func (d *decoder) string() string { return string(d.take(d.uvarint())) }

func (d *decoder) value() any {
	switch d.byte() {
	case 's':
		return d.string()
	case 'i':
		return d.varint()
	case 'f':
		return math.Float64frombits(binary.BigEndian.Uint64(d.take(8)))
	case 't':
		return true
	case 'n':
		return false
	case 'l':
		items := []any{}
		for n := d.uvarint(); n > 0 && d.err == nil; n-- {
			items = append(items, d.value())
		}
		return items
	case '0':
	default:
		d.err = errCorrupt
	}
	return nil
}
