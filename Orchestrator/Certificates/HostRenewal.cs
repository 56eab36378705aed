using Orchestrator.Traffic.Tls;

namespace Orchestrator.Certificates;

/// <summary>What is known of one host that wants an automatic certificate. Only one order at a time touches it.</summary>
internal sealed class HostRenewal(string host)
{
    private RenewalWindow? _window;
    private DateTimeOffset _picked;
    private DateTimeOffset _askAgain;

    public string Host => host;

    /// <summary>What was issued for it last.</summary>
    public EdgeCertificate? Issued { get; set; }

    /// <summary>Orders in a row that came to nothing.</summary>
    public int Failures { get; private set; }

    /// <summary>Why the last one did not; null: it did.</summary>
    public string? Problem { get; private set; }

    /// <summary>No order before this.</summary>
    public DateTimeOffset NotBefore { get; private set; }

    /// <summary>The same for the life of a certificate, so that its time does not move.</summary>
    private double Chance { get; set; } = Random.Shared.NextDouble();

    /// <summary>Whether it is time for an order, with what is served for the host now.</summary>
    public bool IsDue(EdgeCertificate? served, DateTimeOffset now) => now >= NotBefore && (served is null || now >= Due(served));

    /// <summary>Whether the authority is to be asked when it wants a renewal.</summary>
    public bool ShouldAsk(DateTimeOffset now) => Issued is not null && now >= _askAgain;

    public void Suggested(RenewalWindow? window, TimeSpan again, DateTimeOffset now)
    {
        _askAgain = now + (window?.AskAgain ?? again);
        if (window is null || window is { Start: var start, End: var end } && start == _window?.Start && end == _window.End) return;

        _window = window;
        _picked = window.Pick();
    }

    public void Succeeded(EdgeCertificate certificate)
    {
        (Issued, Problem, Failures, _window, NotBefore, _askAgain) = (certificate, null, 0, null, default, default);
        Chance = Random.Shared.NextDouble();
    }

    public void Failed(string problem, TimeSpan? wanted, DateTimeOffset now)
    {
        Problem = problem;
        NotBefore = now + RenewalTiming.Pause(++Failures, Random.Shared.NextDouble(), wanted);
    }

    private DateTimeOffset Due(EdgeCertificate served)
    {
        var due = RenewalTiming.Due(served, Chance);
        return _window is not null && ReferenceEquals(served, Issued) ? _picked : due;
    }
}
