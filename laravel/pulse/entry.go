package pulse

import "reverb/laravel/php"

// countsPerEntry bounds how many messages one entry of the stream stands for. Pulse counts an entry once for each of
// its aggregations, whatever its value is, so they are repeated; it reads 1,000 entries at a time into its memory, some
// 50 bytes for each repetition.
const countsPerEntry = 500

// repeated is the aggregations of an entry that stands for n messages.
func repeated(n int) php.Array {
	aggregations := make(php.Array, n)
	for i := range aggregations {
		aggregations[i] = php.Entry{Key: php.Int(i), Value: php.String("count")}
	}
	return aggregations
}

// appendEntry appends Pulse's Entry as PHP serializes it. It stands for as many messages as it has aggregations.
func appendEntry(dst []byte, s slot, aggregations php.Array) []byte {
	return php.Append(dst, php.Object{Class: `Laravel\Pulse\Entry`, Properties: []php.Property{
		{Name: php.Protected("aggregations"), Value: aggregations},
		{Name: php.Protected("onlyBuckets"), Value: php.Bool(true)},
		{Name: "timestamp", Value: php.Int(s.at)},
		{Name: "type", Value: php.String(s.kind)},
		{Name: "key", Value: php.String(s.app)},
		{Name: "value", Value: php.Null{}},
	}})
}
