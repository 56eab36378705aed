using Orchestrator.Certificates;
using Quartz;

namespace Orchestrator.Scheduling;

/// <summary>Each minute: renews the certificates whose time has come, and tries again what came to nothing. Else it costs nothing.</summary>
[DisallowConcurrentExecution]
public sealed class RenewalJob(CertificateIssuance issuance) : IJob
{
    public async ValueTask Execute(IJobExecutionContext context, CancellationToken cancellationToken) => await issuance.RunAsync(cancellationToken);
}
