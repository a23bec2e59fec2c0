package server

// Limit gives a server the limits of the real ones.
var Limit = limit
