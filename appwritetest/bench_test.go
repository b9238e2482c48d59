package appwritetest_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"sync/atomic"
	"testing"

	"github.com/backstep-dev/backstep/appwritetest"
)

// load sends requests over loopback HTTP, over connections that stay open.
type load struct {
	client
}

// newLoad starts a server with one collection of one string and one integer.
func newLoad(b *testing.B, opts ...appwritetest.Option) load {
	b.Helper()
	srv := appwritetest.New(b, opts...)
	l := load{clientOf(srv)}
	for _, r := range [][2]string{
		{"/databases", `{"databaseId":"shop","name":"Shop"}`},
		{"/databases/shop/collections", `{"collectionId":"books","name":"Books"}`},
		{books + "/attributes/string", `{"key":"title","size":200,"required":true}`},
		{books + "/attributes/integer", `{"key":"pages","required":false}`},
	} {
		l.must(b, http.MethodPost, r[0], r[1])
	}
	if err := srv.Worker().Idle(b.Context()); err != nil {
		b.Fatal(err)
	}
	return l
}

func (l load) must(b *testing.B, method, path, body string) {
	b.Helper()
	status, text, err := l.send(b.Context(), method, path, body)
	if err != nil || status >= http.StatusMultipleChoices {
		b.Errorf("%s %s: %d %s %v", method, path, status, text, err)
	}
}

// run sends what request returns for 0, 1, 2, … over several connections at
// once, and reports how many documents a second that was.
func (l load) run(b *testing.B, documents int, request func(n int64) (method, path, body string)) {
	b.Helper()
	var next atomic.Int64
	b.SetParallelism(4)
	b.ReportAllocs()
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		w := l.dial(b)
		defer w.Close()
		for pb.Next() {
			if err := w.send(request(next.Add(1) - 1)); err != nil {
				b.Error(err)
				return
			}
		}
	})
	b.ReportMetric(float64(b.N*documents)/b.Elapsed().Seconds(), "docs/s")
}

// wire is a connection that costs next to nothing, so that a benchmark on the
// same cores measures the server and not net/http's client.
type wire struct {
	net.Conn
	answers *bufio.Reader
	head    string // the headers of every request
	request []byte
}

func (l load) dial(b *testing.B) *wire {
	b.Helper()
	endpoint, err := url.Parse(l.endpoint)
	if err != nil {
		b.Fatal(err)
	}
	connection, err := new(net.Dialer).DialContext(b.Context(), "tcp", endpoint.Host)
	if err != nil {
		b.Fatal(err)
	}
	head := fmt.Sprintf(" HTTP/1.1\r\nHost: %s\r\nX-Appwrite-Project: %s\r\nX-Appwrite-Key: %s\r\nContent-Type: application/json\r\nContent-Length: ",
		endpoint.Host, l.project, l.key)
	return &wire{Conn: connection, answers: bufio.NewReader(connection), head: head}
}

func (w *wire) send(method, path, body string) error {
	w.request = append(w.request[:0], method+" /v1"+path+w.head...)
	w.request = strconv.AppendInt(w.request, int64(len(body)), 10)
	w.request = append(w.request, "\r\n\r\n"+body...)
	if _, err := w.Write(w.request); err != nil {
		return err
	}
	answer, err := http.ReadResponse(w.answers, nil)
	if err != nil {
		return err
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode >= http.StatusMultipleChoices {
		err = fmt.Errorf("%s %s: %d %s", method, path, answer.StatusCode, text)
	}
	return err
}

func newDocument(n int64) string {
	return fmt.Sprintf(`{"documentId":"d%d","data":{"title":"Book number %d","pages":%d}}`, n, n, n%1000)
}

func BenchmarkCreateDocument(b *testing.B) {
	newLoad(b).run(b, 1, func(n int64) (string, string, string) {
		return http.MethodPost, books + "/documents", newDocument(n)
	})
}

func BenchmarkCreateDocumentInFile(b *testing.B) {
	newLoad(b, appwritetest.Data(b.TempDir()+"/data.db")).run(b, 1, func(n int64) (string, string, string) {
		return http.MethodPost, books + "/documents", newDocument(n)
	})
}

// bulk is the body that creates the n-th hundred documents.
func bulk(n int64) string {
	var body bytes.Buffer
	body.WriteString(`{"documents":[`)
	for i := range int64(100) {
		if i > 0 {
			body.WriteByte(',')
		}
		fmt.Fprintf(&body, `{"$id":"d%d","title":"Book number %d","pages":%d}`, n*100+i, n*100+i, i)
	}
	body.WriteString(`]}`)
	return body.String()
}

func BenchmarkCreateDocumentsInBulk(b *testing.B) {
	newLoad(b).run(b, 100, func(n int64) (string, string, string) {
		return http.MethodPost, books + "/documents", bulk(n)
	})
}

// filled returns a load over 10,000 documents.
func filled(b *testing.B) load {
	b.Helper()
	l := newLoad(b)
	for n := range int64(100) {
		l.must(b, http.MethodPost, books+"/documents", bulk(n))
	}
	return l
}

func BenchmarkGetDocument(b *testing.B) {
	filled(b).run(b, 1, func(n int64) (string, string, string) {
		return http.MethodGet, books + "/documents/d" + strconv.FormatInt(n%10_000, 10), ""
	})
}

func BenchmarkUpdateDocument(b *testing.B) {
	filled(b).run(b, 1, func(n int64) (string, string, string) {
		return http.MethodPatch, books + "/documents/d" + strconv.FormatInt(n%10_000, 10),
			`{"data":{"pages":` + strconv.FormatInt(n, 10) + `}}`
	})
}

func BenchmarkListDocuments(b *testing.B) {
	filled(b).run(b, 100, func(n int64) (string, string, string) {
		return http.MethodGet, fmt.Sprintf(
			`%s/documents?queries[]={"method":"greaterThan","attribute":"$sequence","values":["%d"]}&queries[]={"method":"limit","values":[100]}`,
			books, n*97%9_900), ""
	})
}
