// The SDK that the published page of `TwoFactorController` describes, as thin as it can be: names of classes, methods and
// parameters are those of its documentation, and each method sends what that one sends.
//
// APIMatic made it from FusionAuth's API description. Its source calls the package `fusionauth-apilib`, and npm has none of
// that name, so it cannot be tested here itself.

import type {
  Errors,
  LoginRequest,
  LoginResponse,
  SecretResponse,
  TwoFactorLoginRequest,
  TwoFactorRequest,
  TwoFactorResponse,
  TwoFactorSendRequest,
  TwoFactorStartRequest,
  TwoFactorStartResponse,
  TwoFactorStatusResponse,
  UserRequest,
  UserResponse,
} from "./generated/fusionauth/index.js";

/** Where the server is, and what the caller shows it. */
export interface ClientConfiguration {
  baseUri: string;
  apiKeyAuthCredentials?: { Authorization: string };
  bearerAuthCredentials?: { accessToken: string };
}

export class Client {
  constructor(readonly configuration: ClientConfiguration) {}
}

export interface RequestOptions {
  abortSignal?: AbortSignal;
}

export interface HttpResponse {
  statusCode: number;
  headers: Record<string, string>;
}

export interface ApiResponse<T> extends HttpResponse {
  result: T;
}

/** A response that is no success. */
export class ApiError<T = unknown> extends Error implements HttpResponse {
  constructor(
    readonly statusCode: number,
    readonly headers: Record<string, string>,
    /** The body; `undefined` where there is none. */
    readonly result: T | undefined,
  ) {
    super(`status ${statusCode}`);
  }
}

/** The same, of an operation whose errors say what is wrong, if they have a body. */
export class ErrorsError extends ApiError<Errors> {}

interface Request {
  /** With its values encoded; an empty one leaves a slash at the end. */
  path: string;
  query?: Record<string, string | undefined>;
  tenantId?: string | undefined;
  auth: "apiKeyAuth" | "bearerAuth";
  error: new (statusCode: number, headers: Record<string, string>, result: never) => Error;
  requestOptions: RequestOptions | undefined;
}

class BaseController {
  readonly #client: Client;

  constructor(client: Client) {
    this.#client = client;
  }

  protected get<T>(request: Request): Promise<ApiResponse<T>> {
    return this.#send("GET", request, {});
  }

  /** An absent body is sent as none, and labelled as JSON all the same. */
  protected post<T>(request: Request, body: unknown): Promise<ApiResponse<T>> {
    const init = { headers: { "Content-Type": "application/json" } };
    return this.#send("POST", request, body === undefined ? init : { ...init, body: JSON.stringify(body) });
  }

  async #send<T>(method: string, request: Request, init: RequestInit): Promise<ApiResponse<T>> {
    const { baseUri, apiKeyAuthCredentials, bearerAuthCredentials } = this.#client.configuration;
    const url = new URL(request.path, baseUri);
    for (const [name, value] of Object.entries(request.query ?? {})) {
      if (value !== undefined) url.searchParams.set(name, value);
    }
    const headers = new Headers(init.headers);
    if (request.tenantId !== undefined) headers.set("X-FusionAuth-TenantId", request.tenantId);
    const token = bearerAuthCredentials && `Bearer ${bearerAuthCredentials.accessToken}`;
    const credential = request.auth === "apiKeyAuth" ? apiKeyAuthCredentials?.Authorization : token;
    if (credential !== undefined) headers.set("Authorization", credential);
    const response = await fetch(url, {
      ...init,
      method,
      headers,
      ...(request.requestOptions?.abortSignal && { signal: request.requestOptions.abortSignal }),
    });
    const text = await response.text();
    const result = text === "" ? undefined : JSON.parse(text);
    const answered = { statusCode: response.status, headers: Object.fromEntries(response.headers) };
    if (!response.ok) throw new request.error(answered.statusCode, answered.headers, result as never);
    return { ...answered, result };
  }
}

export class TwoFactorController extends BaseController {
  async retrieveTwoFactorStatus(
    twoFactorTrustId: string,
    userId?: string,
    applicationId?: string,
    requestOptions?: RequestOptions,
  ): Promise<ApiResponse<TwoFactorStatusResponse>> {
    const path = `/api/two-factor/status/${encodeURIComponent(twoFactorTrustId)}`;
    const query = { userId, applicationId };
    return this.get({ path, query, auth: "apiKeyAuth", error: ErrorsError, requestOptions });
  }

  async startTwoFactorLogin(
    body?: TwoFactorStartRequest,
    requestOptions?: RequestOptions,
  ): Promise<ApiResponse<TwoFactorStartResponse>> {
    const path = "/api/two-factor/start";
    return this.post({ path, auth: "apiKeyAuth", error: ErrorsError, requestOptions }, body);
  }

  async twoFactorLogin(
    body?: TwoFactorLoginRequest,
    requestOptions?: RequestOptions,
  ): Promise<ApiResponse<LoginResponse>> {
    const path = "/api/two-factor/login";
    return this.post({ path, auth: "apiKeyAuth", error: ErrorsError, requestOptions }, body);
  }

  async sendTwoFactorCodeForEnableDisable(
    body?: TwoFactorSendRequest,
    requestOptions?: RequestOptions,
  ): Promise<ApiResponse<void>> {
    const path = "/api/two-factor/send";
    return this.post({ path, auth: "apiKeyAuth", error: ErrorsError, requestOptions }, body);
  }

  async generateTwoFactorSecretUsingJWT(requestOptions?: RequestOptions): Promise<ApiResponse<SecretResponse>> {
    const path = "/api/two-factor/secret";
    return this.get({ path, auth: "bearerAuth", error: ApiError, requestOptions });
  }

  async sendTwoFactorCodeForLoginUsingMethod(
    twoFactorId: string,
    body?: TwoFactorSendRequest,
    requestOptions?: RequestOptions,
  ): Promise<ApiResponse<void>> {
    const path = `/api/two-factor/send/${encodeURIComponent(twoFactorId)}`;
    return this.post({ path, auth: "apiKeyAuth", error: ErrorsError, requestOptions }, body);
  }
}

export class LoginController extends BaseController {
  async login(
    xFusionAuthTenantId?: string,
    body?: LoginRequest,
    requestOptions?: RequestOptions,
  ): Promise<ApiResponse<LoginResponse>> {
    const request = { path: "/api/login", tenantId: xFusionAuthTenantId, error: ErrorsError, requestOptions };
    return this.post({ ...request, auth: "apiKeyAuth" }, body);
  }
}

export class UserController extends BaseController {
  async createUser(
    userId: string,
    xFusionAuthTenantId?: string,
    body?: UserRequest,
    requestOptions?: RequestOptions,
  ): Promise<ApiResponse<UserResponse>> {
    const path = `/api/user/${encodeURIComponent(userId)}`;
    const request = { path, tenantId: xFusionAuthTenantId, error: ErrorsError, requestOptions };
    return this.post({ ...request, auth: "apiKeyAuth" }, body);
  }

  async enableTwoFactor(
    userId: string,
    body?: TwoFactorRequest,
    requestOptions?: RequestOptions,
  ): Promise<ApiResponse<TwoFactorResponse>> {
    const path = `/api/user/two-factor/${encodeURIComponent(userId)}`;
    return this.post({ path, auth: "apiKeyAuth", error: ErrorsError, requestOptions }, body);
  }

  /** The only look-up without an id that it has: by the caller's own access token. */
  async retrieveUserByChangePasswordIdByEmailByLoginIdByUsernameByVerificationIdUsingJWT(
    xFusionAuthTenantId?: string,
    verificationId?: string,
    username?: string,
    loginId?: string,
    email?: string,
    changePasswordId?: string,
    requestOptions?: RequestOptions,
  ): Promise<ApiResponse<UserResponse>> {
    const query = { verificationId, username, loginId, email, changePasswordId };
    const request = { path: "/api/user", query, tenantId: xFusionAuthTenantId, error: ErrorsError, requestOptions };
    return this.get({ ...request, auth: "bearerAuth" });
  }
}
