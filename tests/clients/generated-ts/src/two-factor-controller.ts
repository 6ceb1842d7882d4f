// `TwoFactorController` as the published page shows it: names, arguments and responses.
//
// The SDK that the page describes was made by APIMatic. Its source calls the package `fusionauth-apilib`, and npm has
// none of that name, so it cannot be tested here. This is the thinnest layer that gives the page's samples what they
// name; all the work is done by the client that openapi-generator makes of openapi/fusionauth.yaml.

import {
  type Configuration,
  type Errors,
  ErrorsFromJSON,
  type LoginResponse,
  ResponseError,
  type SecretResponse,
  TwoFactorApi,
  type TwoFactorLoginRequest,
  type TwoFactorSendRequest,
  type TwoFactorStartRequest,
  type TwoFactorStartResponse,
  type TwoFactorStatusResponse,
  type ApiResponse as RawResponse,
} from "./generated/fusionauth/index.js";

/** Where the server is, and what the caller shows it. */
export type Client = Configuration;

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

/** One whose body says what is wrong. */
export class ErrorsError extends ApiError<Errors> {}

export class TwoFactorController {
  readonly #api: TwoFactorApi;

  constructor(client: Client) {
    this.#api = new TwoFactorApi(client);
  }

  async retrieveTwoFactorStatus(
    twoFactorTrustId: string,
    userId?: string,
    applicationId?: string,
    requestOptions?: RequestOptions,
  ): Promise<ApiResponse<TwoFactorStatusResponse>> {
    const parameters = { twoFactorTrustId, userId, applicationId };
    return answered(this.#api.retrieveTwoFactorStatusRaw(parameters, init(requestOptions)));
  }

  async startTwoFactorLogin(
    body?: TwoFactorStartRequest,
    requestOptions?: RequestOptions,
  ): Promise<ApiResponse<TwoFactorStartResponse>> {
    return answered(this.#api.startTwoFactorLoginRaw({ twoFactorStartRequest: body }, init(requestOptions)));
  }

  async twoFactorLogin(
    body?: TwoFactorLoginRequest,
    requestOptions?: RequestOptions,
  ): Promise<ApiResponse<LoginResponse>> {
    return answered(this.#api.twoFactorLoginRaw({ twoFactorLoginRequest: body }, init(requestOptions)));
  }

  async sendTwoFactorCodeForEnableDisable(
    body?: TwoFactorSendRequest,
    requestOptions?: RequestOptions,
  ): Promise<ApiResponse<void>> {
    const parameters = { twoFactorSendRequest: body };
    return answered(this.#api.sendTwoFactorCodeForEnableDisableRaw(parameters, init(requestOptions)));
  }

  async generateTwoFactorSecretUsingJWT(requestOptions?: RequestOptions): Promise<ApiResponse<SecretResponse>> {
    return answered(this.#api.generateTwoFactorSecretUsingJWTRaw({}, init(requestOptions)));
  }

  async sendTwoFactorCodeForLoginUsingMethod(
    twoFactorId: string,
    body?: TwoFactorSendRequest,
    requestOptions?: RequestOptions,
  ): Promise<ApiResponse<void>> {
    const parameters = { twoFactorId, twoFactorSendRequest: body };
    return answered(this.#api.sendTwoFactorCodeForLoginUsingMethodRaw(parameters, init(requestOptions)));
  }
}

function init(options?: RequestOptions): RequestInit {
  return options?.abortSignal === undefined ? {} : { signal: options.abortSignal };
}

function http({ status, headers }: Response): HttpResponse {
  return { statusCode: status, headers: Object.fromEntries(headers) };
}

async function answered<T>(call: Promise<RawResponse<T>>): Promise<ApiResponse<T>> {
  try {
    const response = await call;
    return { ...http(response.raw), result: await response.value() };
  } catch (error) {
    if (!(error instanceof ResponseError)) throw error;
    const { statusCode, headers } = http(error.response);
    const body = await error.response.text();
    if (body === "") throw new ApiError(statusCode, headers, undefined);
    throw new ErrorsError(statusCode, headers, ErrorsFromJSON(JSON.parse(body)));
  }
}
