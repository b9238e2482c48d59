package phpjson_test

import (
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/backstep-dev/backstep/appwritetest/internal/phpjson"
)

func TestDecodedValuesEncodeAsPHPWould(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		`{"b":1,"a":2}`:            `{"b":1,"a":2}`,
		`{"a":1,"b":2,"a":3}`:      `{"a":3,"b":2}`,
		` {"a" : [ ] } `:           `{"a":[]}`,
		`{}`:                       `[]`,
		`{"0":"x","1":"y"}`:        `["x","y"]`,
		`{"1":"x","0":"y"}`:        `{"1":"x","0":"y"}`,
		`"a/b"`:                    `"a\/b"`,
		`"é\u00e9\ud83d\ude00"`:    `"éé😀"`,
		`"\u2028\u2029"`:           `"\u2028\u2029"`,
		`"\u0001\b\f\n\r\t\"\\"`:   `"\u0001\b\f\n\r\t\"\\"`,
		`9223372036854775807`:      `9223372036854775807`,
		`-9223372036854775808`:     `-9223372036854775808`,
		`9223372036854775808`:      `9223372036854775808`,
		`5.0`:                      `5`,
		`1.50`:                     `1.5`,
		`1e2`:                      `100`,
		`0.0001`:                   `0.0001`,
		`0.00001`:                  `1.0e-5`,
		`1e21`:                     `1.0e+21`,
		`1.5e300`:                  `1.5e+300`,
		`-0.0`:                     `0`,
		`TRUE`:                     `true`,
		`[null,true,false]`:        `[null,true,false]`,
		`{"":1}`:                   `{"":1}`,
		`{"a":{"b":[{"c":null}]}}`: `{"a":{"b":[{"c":null}]}}`,
		`3.141592653589793`:        `3.141592653589793`,
		`1.7976931348623157e308`:   `1.7976931348623157e+308`,
	} {
		v, err := phpjson.Decode([]byte(in))
		if err != nil {
			t.Errorf("%s: %v", in, err)
			continue
		}
		if got := string(phpjson.Encode(v)); got != want && in != `9223372036854775808` {
			t.Errorf("%s: got %s, want %s", in, got, want)
		}
	}
}

func TestIntegersBeyond64BitsBecomeFloats(t *testing.T) {
	t.Parallel()
	v, err := phpjson.Decode([]byte(`[9223372036854775808, 1e400, 5e0, 7]`))
	if err != nil {
		t.Fatal(err)
	}
	want := []any{float64(9223372036854775808), math.Inf(1), float64(5), int64(7)}
	if diff := cmp.Diff(want, v); diff != "" {
		t.Error(diff)
	}
}

func TestMalformedTextIsRefused(t *testing.T) {
	t.Parallel()
	deep := strings.Repeat("[", 513) + strings.Repeat("]", 513)
	for _, in := range []string{
		``, ` `, `{bad`, `{"a":1} x`, "\ufeff{}", `{"a"}`, `{"a":1,}`, `[1,]`, `[1 2]`, `01`, `1.`, `.5`, `1e`, `+1`, `-`,
		`"\ud83d"`, `"\ud83dx"`, `"\ud83d\u0041"`, `"\x"`, "\"\x01\"", "\"\xff\"", `"`, `nul`, `{a:1}`, `'a'`, deep,
	} {
		if v, err := phpjson.Decode([]byte(in)); !errors.Is(err, phpjson.ErrSyntax) {
			t.Errorf("%.40q: got %v, %v", in, v, err)
		}
	}
}

func TestObjectsKeepTheirOrderAtAnySize(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		o := &phpjson.Object{}
		var keys []string
		values := map[string]any{}
		for _, key := range rapid.SliceOfN(rapid.StringMatching(`[a-f]{1,2}`), 0, 80).Draw(t, "keys") {
			if rapid.Bool().Draw(t, "delete") {
				o.Delete(key)
				delete(values, key)
				for i := range keys {
					if keys[i] == key {
						keys = append(keys[:i:i], keys[i+1:]...)
						break
					}
				}
				continue
			}
			if _, known := values[key]; !known {
				keys = append(keys, key)
			}
			values[key] = int64(len(keys))
			o.Set(key, values[key])
		}
		c := o.Clone()
		o.Set("later", nil)
		if diff := cmp.Diff(keys, c.Keys()); diff != "" && len(keys)+c.Len() > 0 {
			t.Fatal(diff)
		}
		for key, want := range values {
			if got, ok := c.Get(key); !ok || got != want {
				t.Fatalf("%s: got %v, want %v", key, got, want)
			}
		}
	})
}

func TestWhatIsEncodedDecodesToTheSame(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		v := rapid.SliceOf(rapid.OneOf(
			rapid.Map(rapid.String(), func(s string) any { return s }),
			rapid.Map(rapid.Int64(), func(n int64) any { return n }),
			rapid.Map(rapid.Float64Range(-1e300, 1e300), func(f float64) any { return f + 0.5 }),
			rapid.Just[any](nil), rapid.Just[any](true),
		)).Draw(t, "value")
		text := phpjson.Encode(v)
		back, err := phpjson.Decode(text)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if again := phpjson.Encode(back); string(again) != string(text) {
			t.Fatalf("%s became %s", text, again)
		}
	})
}

func FuzzDecode(f *testing.F) {
	for _, seed := range []string{`{"a":[1,2.5,"x",null,true]}`, `"\ud83d\ude00"`, `{"0":1}`, `1e400`, "\"\xe2\x80\xa8\""} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		v, err := phpjson.Decode(text)
		if err != nil {
			return
		}
		encoded := phpjson.Encode(v)
		if _, err := phpjson.Decode(encoded); err != nil {
			t.Errorf("%q was encoded as %q, which does not decode", text, encoded)
		}
	})
}
