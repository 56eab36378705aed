using Microsoft.Extensions.Logging;
using Orchestrator.Certificates;
using Orchestrator.Traffic.Tls;
using Quartz;

namespace Orchestrator.Scheduling;

/// <summary>Each morning: says, in the log and to whoever is notified, which certificates end soon, wherever they came from.</summary>
[DisallowConcurrentExecution]
public sealed partial class ExpiryJob(CertificateStore certificates, CertificateAlarm alarm, TimeProvider time, ILogger<ExpiryJob> logger) : IJob
{
    public ValueTask Execute(IJobExecutionContext context, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        foreach (var certificate in certificates.ByName.Values.Distinct().Where(certificate => certificate.NotAfter - now < CertificateStore.Soon))
        {
            LogEnding(certificate, (int)Math.Floor((certificate.NotAfter - now).TotalDays));
            alarm.Ending(certificate);
        }

        return ValueTask.CompletedTask;
    }

    [LoggerMessage(EventId = 3220, Level = LogLevel.Warning, Message = "The certificate {Certificate} ends in {Days} days")]
    private partial void LogEnding(EdgeCertificate certificate, int days);
}
