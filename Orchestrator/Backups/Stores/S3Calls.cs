using System.Net;
using Amazon.Runtime;
using Amazon.S3;
using Polly;
using Polly.Retry;

namespace Orchestrator.Backups.Stores;

/// <summary>The client, set up so that servers other than Amazon's understand it, and its failures in our words.</summary>
internal sealed class S3Calls : IDisposable
{
    private readonly ResiliencePipeline _retrying;
    private readonly string _store;

    public S3Calls(string store, S3Options options, TimeProvider time)
    {
        (_store, Options) = (store, options);
        Client = new AmazonS3Client(new BasicAWSCredentials(options.AccessKey, options.SecretKey), new AmazonS3Config
        {
            ServiceURL = options.Endpoint.ToString(),
            AuthenticationRegion = options.Region,
            ForcePathStyle = options.PathStyle,
            RequestChecksumCalculation = RequestChecksumCalculation.WHEN_REQUIRED,
            ResponseChecksumValidation = ResponseChecksumValidation.WHEN_REQUIRED,
            MaxErrorRetry = 0,
            Timeout = options.Timeout,
        });
        var builder = new ResiliencePipelineBuilder { TimeProvider = time };
        if (options.Retries > 0)
        {
            builder.AddRetry(new RetryStrategyOptions
            {
                MaxRetryAttempts = options.Retries,
                Delay = options.RetryDelay,
                BackoffType = DelayBackoffType.Exponential,
                UseJitter = true,
                ShouldHandle = arguments => ValueTask.FromResult(arguments.Outcome.Exception is { } failure && !arguments.Context.CancellationToken.IsCancellationRequested && MayPass(failure)),
            });
        }

        _retrying = builder.Build();
    }

    public S3Options Options { get; }

    public AmazonS3Client Client { get; }

    /// <summary>Calls what may be repeated: everything here names its object and its bytes, so saying it twice does no more than once.</summary>
    /// <exception cref="BackupStoreException">It failed, also when repeated.</exception>
    public async Task<T> CallAsync<T>(string what, Func<CancellationToken, Task<T>> call, CancellationToken cancellationToken)
    {
        try
        {
            return await _retrying.ExecuteAsync(async token => await call(token), cancellationToken);
        }
        catch (Exception failure) when (IsOfServer(failure, cancellationToken))
        {
            throw new BackupStoreException(_store, $"{what}: {Describe(failure)}", failure);
        }
    }

    public void Dispose() => Client.Dispose();

    public static bool IsMissing(Exception failure) =>
        failure is AmazonS3Exception { StatusCode: HttpStatusCode.NotFound } or BackupStoreException { InnerException: AmazonS3Exception { StatusCode: HttpStatusCode.NotFound } };

    public static bool IsOfServer(Exception failure, CancellationToken cancellationToken) => failure
        is AmazonServiceException or AmazonClientException or HttpRequestException or IOException or TimeoutException
        || (failure is OperationCanceledException && !cancellationToken.IsCancellationRequested);

    public static string Describe(Exception failure) => failure switch
    {
        AmazonS3Exception { StatusCode: var status, ErrorCode: var code, Message: var message } when (int)status > 0 => $"{(int)status} {code}: {message}".Trim(),
        OperationCanceledException => "no answer in time",
        { InnerException: { } inner } when failure is AmazonClientException => $"{failure.Message} {inner.Message}",
        _ => failure.Message,
    };

    private static bool MayPass(Exception failure) => failure switch
    {
        AmazonServiceException { StatusCode: var status } => (int)status is 0 or (>= 500 and not 501) or 408 or 429,
        _ => IsOfServer(failure, CancellationToken.None),
    };
}
