using System.Globalization;

namespace Orchestrator.Traffic.Requests;

/// <summary>The value of <c>X-Request-Start</c>, <c>t=</c> and milliseconds since 1970: made once for all requests of a millisecond.</summary>
internal sealed class RequestStart(TimeProvider time)
{
    private volatile Made _last = new(long.MinValue, string.Empty);

    public string Now
    {
        get
        {
            var now = time.GetUtcNow().ToUnixTimeMilliseconds();
            var last = _last;
            if (last.Millisecond == now)
                return last.Text;

            // Two requests may both make it: the same text.
            _last = last = new(now, string.Create(CultureInfo.InvariantCulture, $"t={now}"));
            return last.Text;
        }
    }

    private sealed record Made(long Millisecond, string Text);
}
