package main

// cases contains the columns of this program by case.
var cases = map[string]map[string]column{
	"decode": {
		"nlwire":      walking(walkNlwire),
		"nlwire-all":  walking(walkAll),
		"mdlayher":    walking(walkMdlayher),
		"vishvananda": walking(walkVishvananda),
	},
	"decode-deep": {
		"nlwire":      walking(deepNlwire),
		"mdlayher":    walking(deepMdlayher),
		"vishvananda": walking(deepVishvananda),
	},
	"decode-policy": {"nlwire": policyNlwire},
	"table-small":   {"nlwire": tableNlwire},
	"typed-link": {
		"nlwire":      typed((*link).walk, (*link).sum),
		"mdlayher":    typed(linkMdlayher, (*link).sum),
		"jsimonetti":  lacking(linkJsimonetti, lackJsimonetti),
		"vishvananda": lacking(linkVishvananda, lackVishvananda),
	},
	"typed-link-copied": { // the other libraries always copy
		"nlwire":      typed((*link).walkAndCopy, (*link).sum),
		"mdlayher":    typed(linkMdlayher, (*link).sum),
		"jsimonetti":  lacking(linkJsimonetti, lackJsimonetti),
		"vishvananda": lacking(linkVishvananda, lackVishvananda),
	},
	"typed-route": {
		"nlwire":      typed((*multipath).walk, (*multipath).sum),
		"mdlayher":    typed(multipathMdlayher, (*multipath).sum),
		"jsimonetti":  typed(multipathJsimonetti, (*multipath).sum),
		"vishvananda": missing(notExported),
	},
	"typed-nft": {
		"nlwire":      typed((*rule).walk, (*rule).sum),
		"mdlayher":    typed(ruleMdlayher, (*rule).sum),
		"jsimonetti":  missing(rtnetlinkOnly),
		"vishvananda": missing("it has no nftables"),
	},
	"typed-flow": {
		"nlwire":      typed((*flow).walk, (*flow).sum),
		"mdlayher":    typed(flowMdlayher, (*flow).sum),
		"jsimonetti":  missing(rtnetlinkOnly),
		"vishvananda": missing(notExported),
	},
	"encode": {
		"nlwire":      encoding(requestNlwire, mixedNlwire, nftNlwire, tcNlwire),
		"mdlayher":    encoding(requestMdlayher, mixedMdlayher, nftMdlayher, tcMdlayher),
		"vishvananda": encoding(requestVishvananda, mixedVishvananda, nftVishvananda, tcVishvananda),
	},
	"append": {
		"nlwire":      appending(appendNlwire),
		"mdlayher":    appending(appendMdlayher),
		"vishvananda": appending(appendVishvananda),
	},
	"resolve": {
		"nlwire":      resolveNlwire,
		"mdlayher":    resolveMdlayher,
		"vishvananda": resolveVishvananda,
	},
	"request": {
		"nlwire":        requestConn,
		"nlwire-socket": requestSocket,
		"mdlayher":      requestsMdlayher,
		"vishvananda":   requestsVishvananda,
	},
	"batch": {
		"nlwire":      batchNlwire,
		"mdlayher":    batchMdlayher,
		"vishvananda": batchVishvananda,
	},
	"latency": {
		"nlwire":      latencyNlwire,
		"one-socket":  latencyOneSocket,
		"mdlayher":    latencyMdlayher,
		"vishvananda": latencyVishvananda,
	},
	"events": {
		"nlwire":        eventsNlwire,
		"nlwire-socket": eventsSocket,
		"mdlayher":      eventsMdlayher,
		"vishvananda":   eventsVishvananda,
		"jsimonetti":    eventsJsimonetti,
	},
	"routes10k": routeColumns,
	"routes1m":  routeColumns,
}

var routeColumns = map[string]column{
	"nlwire":      routesNlwire,
	"mdlayher":    routesMdlayher,
	"vishvananda": routesVishvananda,
	"jsimonetti":  routesJsimonetti,
}

// Reasons for missing columns.
const (
	notExported   = "its decoder of a message is not exported"
	rtnetlinkOnly = "it implements rtnetlink only"
)
