using Microsoft.Extensions.DependencyInjection;

namespace NestQuant.RuntimeOps.Sessions;

/// <summary>Adds sessions to a service collection.</summary>
public static class NestedSessionServices
{
    /// <summary>Adds a <see cref="NestedSession"/> as a singleton; it is opened when it is first asked for.</summary>
    /// <param name="services">The services.</param>
    /// <param name="modelPath">Path of the compiled model.</param>
    /// <param name="configure">Sets its options; null for the defaults.</param>
    /// <returns>The same services.</returns>
    public static IServiceCollection AddNestedSession(
        this IServiceCollection services, string modelPath, Action<IServiceProvider, NestedSessionOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentException.ThrowIfNullOrEmpty(modelPath);
        return services.AddSingleton(provider => Open(provider, modelPath, configure));
    }

    /// <summary>Adds a <see cref="NestedSession"/> as a singleton under a key, for hosts with several models.</summary>
    /// <param name="services">The services.</param>
    /// <param name="key">The key.</param>
    /// <param name="modelPath">Path of the compiled model.</param>
    /// <param name="configure">Sets its options; null for the defaults.</param>
    /// <returns>The same services.</returns>
    public static IServiceCollection AddKeyedNestedSession(
        this IServiceCollection services, object key, string modelPath, Action<IServiceProvider, NestedSessionOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(key);
        ArgumentException.ThrowIfNullOrEmpty(modelPath);
        return services.AddKeyedSingleton(key, (provider, _) => Open(provider, modelPath, configure));
    }

    private static NestedSession Open(
        IServiceProvider provider, string modelPath, Action<IServiceProvider, NestedSessionOptions>? configure)
    {
        NestedSessionOptions options = new();
        configure?.Invoke(provider, options);
        return NestedSession.Open(modelPath, options);
    }
}
