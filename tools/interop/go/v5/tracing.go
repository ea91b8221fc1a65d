package main

import (
	"context"

	micro "go-micro.dev/v5"
	"go-micro.dev/v5/wrapper/trace/opentelemetry"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/trace"

	"ts-micro.example/interop/peer"
)

// traced wraps a service with Go Micro's OpenTelemetry wrapper on all sides; every span that ends is written as a line.
func traced(out *peer.Lines) []micro.Option {
	otel.SetTextMapPropagator(propagation.NewCompositeTextMapPropagator(propagation.TraceContext{}, propagation.Baggage{}))
	provider := opentelemetry.WithTraceProvider(trace.NewTracerProvider(trace.WithSyncer(lineExporter{out})))
	return []micro.Option{
		micro.WrapClient(opentelemetry.NewClientWrapper(provider)),
		micro.WrapHandler(opentelemetry.NewHandlerWrapper(provider)),
		micro.WrapSubscriber(opentelemetry.NewSubscriberWrapper(provider)),
	}
}

type lineExporter struct{ out *peer.Lines }

func (e lineExporter) ExportSpans(_ context.Context, spans []trace.ReadOnlySpan) error {
	for _, span := range spans {
		own, parent := span.SpanContext(), span.Parent()
		line := map[string]any{"event": "span", "name": span.Name(), "traceId": own.TraceID().String(), "spanId": own.SpanID().String()}
		if parent.IsValid() {
			line["parentSpanId"] = parent.SpanID().String()
		}
		e.out.Write(line)
	}
	return nil
}

func (lineExporter) Shutdown(context.Context) error { return nil }
