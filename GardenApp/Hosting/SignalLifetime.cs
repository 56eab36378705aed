using System.Globalization;
using System.Runtime.InteropServices;

namespace GardenApp.Hosting;

/// <summary>
/// Turns SIGTERM and SIGINT into a graceful stop, and writes down how many requests were in flight at that instant: what the
/// container saw itself is the proof that traffic had been taken away first.
/// </summary>
internal sealed class SignalLifetime : IHostLifetime, IDisposable
{
    private readonly IHostApplicationLifetime _application;
    private readonly RequestsInFlight _inFlight;
    private readonly GardenSettings _settings;
    private readonly TimeProvider _time;
    private readonly List<PosixSignalRegistration> _registrations = [];

    public SignalLifetime(IHostApplicationLifetime application, RequestsInFlight inFlight, GardenSettings settings, TimeProvider time)
    {
        _application = application;
        _inFlight = inFlight;
        _settings = settings;
        _time = time;
    }

    public Task WaitForStartAsync(CancellationToken cancellationToken)
    {
        _registrations.Add(PosixSignalRegistration.Create(PosixSignal.SIGTERM, OnSignal));
        _registrations.Add(PosixSignalRegistration.Create(PosixSignal.SIGINT, OnSignal));
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken)
    {
        Say($"Stopped with {_inFlight.Count} requests in flight");
        return Task.CompletedTask;
    }

    public void Dispose() => _registrations.ForEach(registration => registration.Dispose());

    private void OnSignal(PosixSignalContext signal)
    {
        signal.Cancel = true;
        var ignored = signal.Signal == PosixSignal.SIGTERM && _settings.Faults.IgnoreSigterm;
        Say($"{signal.Signal} received with {_inFlight.Count} requests in flight{(ignored ? "; ignored (GARDEN_FAULT_IGNORE_SIGTERM)" : "")}");
        if (!ignored) _application.StopApplication();
    }

    // Not through the logger: a log level or a slow sink must not lose or reorder these lines.
    private void Say(string line)
    {
        Console.Out.WriteLine($"{_time.GetUtcNow().ToString("O", CultureInfo.InvariantCulture)} {line}");
        Console.Out.Flush();
    }
}
