package query

import "slices"

// geometry is a point, a line or a polygon without regard to its holes.
type geometry struct {
	corners []point
	area    bool
}

// shape reads a stored or sent geometry: a pair of numbers, a list of pairs, a
// list of rings.
func shape(value any) geometry {
	list, _ := value.([]any)
	if len(list) > 0 {
		if ring, ok := list[0].([]any); ok && len(ring) > 0 {
			if _, ok := ring[0].([]any); ok {
				return geometry{corners: points(ring), area: true}
			}
		}
	}
	return geometry{corners: points(value)}
}

// dimension is 0 for points, 1 for lines, 2 for polygons.
func (g geometry) dimension() int {
	switch {
	case g.area:
		return 2
	case len(g.corners) > 1:
		return 1
	}
	return 0
}

// spatialHolds evaluates a spatial relation between two geometries.
func spatialHolds(method string, value, operand any) bool {
	a, b := shape(value), shape(operand)
	if len(a.corners) == 0 || len(b.corners) == 0 || !a.intersects(b) {
		return false
	}
	switch method {
	case "intersects":
		return true
	case "touches":
		return !a.interiorMeets(b)
	case "overlaps":
		return a.dimension() == b.dimension() && a.interiorMeets(b) && !a.covers(b) && !b.covers(a)
	case "crosses":
		if a.dimension() == 1 && b.dimension() == 1 {
			return a.properCrossing(b)
		}
		return a.dimension() != b.dimension() && a.interiorMeets(b) && !a.covers(b) && !b.covers(a)
	case "contains":
		return a.covers(b)
	case "equal":
		return slices.Equal(a.corners, b.corners)
	}
	return false
}

// segments calls visit for each side until it returns true.
func (g geometry) segments(visit func(a, b point) bool) bool {
	if len(g.corners) == 1 {
		return visit(g.corners[0], g.corners[0])
	}
	for i := 1; i < len(g.corners); i++ {
		if visit(g.corners[i-1], g.corners[i]) {
			return true
		}
	}
	return false
}

func (g geometry) intersects(o geometry) bool {
	return g.segments(func(a, b point) bool {
		return o.segments(func(c, d point) bool { return segmentsMeet(a, b, c, d) })
	}) || g.inside(o.corners[0]) || o.inside(g.corners[0])
}

// properCrossing says whether two sides cut through each other.
func (g geometry) properCrossing(o geometry) bool {
	return g.segments(func(a, b point) bool {
		return o.segments(func(c, d point) bool {
			return turn(a, b, c)*turn(a, b, d) < 0 && turn(c, d, a)*turn(c, d, b) < 0
		})
	})
}

// interiorMeets says whether more than the borders meet.
func (g geometry) interiorMeets(o geometry) bool {
	within := func(a, b geometry) bool {
		return slices.ContainsFunc(b.corners, a.inside) || slices.ContainsFunc(b.samples(), a.inside)
	}
	if g.properCrossing(o) || within(g, o) || within(o, g) {
		return true
	}
	if g.area || o.area {
		return false
	}
	return slices.ContainsFunc(o.samples(), g.onLine) || slices.ContainsFunc(g.samples(), o.onLine)
}

// samples are points of the interior: the middle of each side of a line, the
// sides and the centre of a polygon, a point itself.
func (g geometry) samples() []point {
	if len(g.corners) == 1 {
		return g.corners
	}
	var middle []point
	var centre point
	for i := 1; i < len(g.corners); i++ {
		a, b := g.corners[i-1], g.corners[i]
		middle = append(middle, point{(a.x + b.x) / 2, (a.y + b.y) / 2})
		centre.x += b.x / float64(len(g.corners)-1)
		centre.y += b.y / float64(len(g.corners)-1)
	}
	if g.area {
		return append(middle, centre)
	}
	return middle
}

// covers says whether no part of o lies outside g.
func (g geometry) covers(o geometry) bool {
	in := func(p point) bool { return g.inside(p) || g.onLine(p) }
	outside := func(p point) bool { return !in(p) }
	if slices.ContainsFunc(o.corners, outside) || slices.ContainsFunc(o.samples(), outside) {
		return false
	}
	return !g.area || !g.properCrossing(o)
}

func (g geometry) onLine(p point) bool {
	return g.segments(func(a, b point) bool { return segmentsMeet(a, b, p, p) })
}

// inside says whether a point lies in a polygon and not on its border.
func (g geometry) inside(p point) bool {
	if !g.area || g.onLine(p) {
		return false
	}
	in := false
	g.segments(func(a, b point) bool {
		if (a.y > p.y) != (b.y > p.y) && p.x < (b.x-a.x)*(p.y-a.y)/(b.y-a.y)+a.x {
			in = !in
		}
		return false
	})
	return in
}

// turn is positive for a turn to the left at b on the way from a to c.
func turn(a, b, c point) float64 { return (b.x-a.x)*(c.y-a.y) - (b.y-a.y)*(c.x-a.x) }

func segmentsMeet(a, b, c, d point) bool {
	t1, t2, t3, t4 := turn(a, b, c), turn(a, b, d), turn(c, d, a), turn(c, d, b)
	if t1*t2 < 0 && t3*t4 < 0 {
		return true
	}
	return t1 == 0 && within(a, b, c) || t2 == 0 && within(a, b, d) ||
		t3 == 0 && within(c, d, a) || t4 == 0 && within(c, d, b)
}

// within says whether p, which is on the line through a and b, is between them.
func within(a, b, p point) bool {
	return min(a.x, b.x) <= p.x && p.x <= max(a.x, b.x) && min(a.y, b.y) <= p.y && p.y <= max(a.y, b.y)
}
