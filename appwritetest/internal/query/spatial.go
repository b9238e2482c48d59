package query

import "math"

// point is a longitude and a latitude.
type point struct{ x, y float64 }

const earthRadius = 6_370_986 // metres, as MariaDB's ST_DISTANCE_SPHERE has it

// distanceHolds evaluates [geometry, distance, inMetres].
func distanceHolds(method string, value, operand any) bool {
	arguments, ok := operand.([]any)
	if !ok || len(arguments) < 2 {
		return false
	}
	limit, ok := float(arguments[1])
	if !ok {
		return false
	}
	metres := len(arguments) > 2 && arguments[2] == true
	distance := math.Inf(1)
	for _, a := range points(value) {
		for _, b := range points(arguments[0]) {
			distance = min(distance, between(a, b, metres))
		}
	}
	switch method {
	case "distanceEqual":
		return distance == limit
	case "distanceNotEqual":
		return distance != limit
	case "distanceGreaterThan":
		return distance > limit
	default:
		return distance < limit
	}
}

func between(a, b point, metres bool) float64 {
	if !metres {
		return math.Hypot(a.x-b.x, a.y-b.y)
	}
	rad := math.Pi / 180
	dx, dy := (b.x-a.x)*rad, (b.y-a.y)*rad
	h := math.Pow(math.Sin(dy/2), 2) + math.Cos(a.y*rad)*math.Cos(b.y*rad)*math.Pow(math.Sin(dx/2), 2)
	return 2 * earthRadius * math.Asin(math.Sqrt(h))
}

// points lists the corners of a geometry of any depth.
func points(value any) []point {
	list, ok := value.([]any)
	if !ok {
		return nil
	}
	if len(list) == 2 {
		x, okX := float(list[0])
		y, okY := float(list[1])
		if okX && okY {
			return []point{{x, y}}
		}
	}
	var all []point
	for _, item := range list {
		all = append(all, points(item)...)
	}
	return all
}

func float(value any) (float64, bool) {
	switch v := value.(type) {
	case int64:
		return float64(v), true
	case float64:
		return v, true
	}
	return 0, false
}
