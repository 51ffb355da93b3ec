package api

// ParseEventsForTest is what POST /events makes of a body: ok says that it is JSON of the right shape, errors how many fields are wrong.
func ParseEventsForTest(body string) (name, data string, channels []string, ok bool, errors int) {
	v, err := parseJSON([]byte(body), new([]byte))
	if err != nil || !v.isList() {
		return "", "", nil, false, 0
	}
	var errs fieldErrors
	f := readFields(v)
	e := f.event(&errs, nil)
	return e.name, e.data, e.channels, true, len(errs)
}

// ParseBatchForTest is what POST /batch_events makes of a body.
func ParseBatchForTest(body string) (items, errors int) {
	v, err := parseJSON([]byte(body), new([]byte))
	if err != nil || !v.isList() {
		return 0, 0
	}
	batch, errs := readBatch(v, new(call))
	return len(batch), len(errs)
}

// ValidJSONForTest says whether a body is accepted as JSON.
func ValidJSONForTest(body string) bool {
	_, err := parseJSON([]byte(body), new([]byte))
	return err == nil
}
