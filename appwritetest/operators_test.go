package appwritetest_test

import "testing"

func TestOperatorsOfTheWrongFormAreBadRequests(t *testing.T) {
	t.Parallel()
	for _, version := range []string{"1.8.1", "1.9.6"} {
		srv := newNumbers(t, version)
		for _, pages := range []any{
			object{"method": "increment", "values": 1},
			object{"method": "increment", "attribute": 5, "values": list{1}},
			`{"method":"increment","values":"1"}`,
		} {
			data := object{"pages": pages}
			refuse(t, srv, 400, "general_bad_request", "PATCH", books+"/documents/a", object{"data": data})
			refuse(t, srv, 400, "general_bad_request", "PUT", books+"/documents/a", object{"data": data})
			refuse(t, srv, 400, "general_bad_request", "PATCH", books+"/documents", object{"data": data})
		}
	}
}

func TestPutOfAListHasNoPayload(t *testing.T) {
	t.Parallel()
	srv := newNumbers(t, "1.9.6")
	refuse(t, srv, 400, "document_missing_payload", "PUT", books+"/documents/a", object{"data": list{1, 2}})
	refuse(t, srv, 400, "document_invalid_structure", "PUT", books+"/documents/a", object{"data": list{1}})
	refuse(t, srv, 400, "document_invalid_structure", "PATCH", books+"/documents/a", object{"data": list{1, 2}})
}
