using Orchestrator.Agent.Api.Contracts;

namespace Orchestrator.Agent.Api;

/// <summary>What the doctor has others look at.</summary>
internal sealed class FurtherChecks(CertificateChecks certificates, BackupChecks backups)
{
    public async Task<IEnumerable<DoctorCheckResponse>> ExamineAsync(CancellationToken cancellationToken) => certificates.Examine().Concat(await backups.ExamineAsync(cancellationToken));
}
